import { batches } from "./batches.ts";
import { bodies } from "./bodies.ts";
import type { Case } from "./case.ts";
import { connection } from "./connection.ts";
import { downloads } from "./downloads.ts";
import { filesAndSecrets } from "./files-and-secrets.ts";
import { limits } from "./limits.ts";
import { lists } from "./lists.ts";
import { oddStreams } from "./stream-shapes.ts";
import { dyingStreams } from "./streams.ts";

/** Every case there is, by section of the table. A new fault is an entry in the file of its section. */
export const matrix: Readonly<Record<string, readonly Case[]>> = {
  Connection: connection,
  Bodies: bodies,
  "Streams that die": dyingStreams,
  "Streams that are only unusual": oddStreams,
  "Limits and status": limits,
  Lists: lists,
  Batches: batches,
  Downloads: downloads,
  "Files and secrets": filesAndSecrets,
};
