import { connection } from "./connection.ts";
import { prove } from "./prove.ts";

prove("Connection", connection);
