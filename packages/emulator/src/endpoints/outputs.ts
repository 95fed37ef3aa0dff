import { Refusal } from "../reply.js";
import type { Endpoint } from "../router.js";

/** `GET /outputs/{name}`, outside the API and without a key: what a link of an answer leads to. */
export const outputs: Endpoint = ({ params }, service) => {
  const output = service.outputs.get(params["name"] ?? "");
  if (output === undefined) throw new Refusal(404, "404 page not found");
  // As object stores answer; the service's documents only say that links end.
  if (output === "expired") throw new Refusal(403, "Request has expired");
  return { status: 200, headers: { "content-type": output.type }, body: output.bytes };
};
