import type { Answer } from "./answers.js";

// Answers of the Anthropic-compatible endpoint, as bytes that no code of ours decides. The service documents the whole answer
// and `message_start`; the other events are Anthropic's, and both endings that are spoken of occur.

const lines = (events: readonly string[], end: string): string =>
  events.map((event) => `event: ${(JSON.parse(event) as { type: string }).type}\ndata: ${event}\n\n`).join("") + end;

const done = "data: [DONE]\n\n";
const stop = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

/** Thinks, then says one word. Ends as the service's documents say. */
export const thinking: Answer = {
  whole:
    '{"id":"msg_7Qk2","type":"message","role":"assistant","model":"Pro/zai-org/GLM-4.7","content":[{"type":"thinking",' +
    '"thinking":"Peru\'s capital city is Lima.","signature":"c2lnbmVk"},{"type":"text","text":"Lima"}],"stop_reason":"end_turn",' +
    '"stop_sequence":null,"usage":{"input_tokens":16,"output_tokens":12,"cache_read_input_tokens":8}}',
  stream: lines(
    [
      '{"type":"message_start","message":{"id":"msg_7Qk2","type":"message","role":"assistant","model":"Pro/zai-org/GLM-4.7","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":16,"cache_read_input_tokens":8}}}',
      '{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}',
      '{"type":"ping"}',
      '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Peru\'s capital "}}',
      '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"city is Lima."}}',
      '{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2lnbmVk"}}',
      '{"type":"content_block_stop","index":0}',
      '{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}',
      '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Li"}}',
      '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"ma"}}',
      '{"type":"content_block_stop","index":1}',
      '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":12}}',
    ],
    done,
  ),
};

/** Thinks, then calls one tool with arguments and one without. Ends as Anthropic's API does. */
export const calling: Answer = {
  whole:
    '{"id":"msg_8Rl3","type":"message","role":"assistant","model":"Pro/zai-org/GLM-4.7","content":[{"type":"thinking",' +
    '"thinking":"Need the stock level and the time.","signature":"c2lnbmVkIHRvbw"},{"type":"tool_use","id":"toolu_1","name":"lookup_stock",' +
    '"input":{"sku":"A-17"}},{"type":"tool_use","id":"toolu_2","name":"now","input":{}}],"stop_reason":"tool_use","stop_sequence":null,' +
    '"usage":{"input_tokens":88,"output_tokens":30}}',
  stream: lines(
    [
      '{"type":"message_start","message":{"id":"msg_8Rl3","type":"message","role":"assistant","model":"Pro/zai-org/GLM-4.7","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":88}}}',
      '{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}',
      '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Need the stock level "}}',
      '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"and the time."}}',
      '{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2lnbmVkIHRvbw"}}',
      '{"type":"content_block_stop","index":0}',
      '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"lookup_stock","input":{}}}',
      '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}',
      '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\\"sku\\": "}}',
      '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"\\"A-17\\"}"}}',
      '{"type":"content_block_stop","index":1}',
      '{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_2","name":"now","input":{}}}',
      '{"type":"content_block_stop","index":2}',
      '{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":30}}',
    ],
    stop,
  ),
};
