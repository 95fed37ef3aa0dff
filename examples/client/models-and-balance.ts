/**
 * See which models a site hosts, and what is left on the account.
 *
 *   npm run example client/models-and-balance     offline, against the emulator
 *   SILICONFLOW_API_KEY=sk-… npm run example client/models-and-balance
 */
import { isSiliconFlowError, SiliconFlowClient } from "langchain-siliconflow";

const client = new SiliconFlowClient();

for (const sub_type of ["chat", "embedding", "reranker", "text-to-image", "speech-to-text"]) {
  const { data } = await client.models.list({ sub_type });
  console.log(`${sub_type.padEnd(15)} ${String(data.length).padStart(3)}  ${data[0]?.id ?? "none"}, …`);
}

try {
  const { totalBalance } = await client.account.info();
  console.log(`\nbalance ${totalBalance}`);
} catch (error) {
  // The service no longer promises this page: a program must do without it.
  if (!isSiliconFlowError(error)) throw error;
  console.log(`\nThe account does not tell its balance: ${error.message}`);
}
await client.close();
