import { json } from "../reply.js";
import type { Endpoint } from "../router.js";

/** `GET /user/info`. Amounts are texts, and name, picture and address are empty, as on the service since 2025. */
export const account: Endpoint = () =>
  json({
    code: 20000,
    message: "OK",
    status: true,
    data: {
      id: "emulator",
      name: "",
      image: "",
      email: "",
      isAdmin: false,
      balance: "0.88",
      status: "normal",
      introduction: "An emulator's account",
      role: "user",
      chargeBalance: "87.12",
      totalBalance: "88.00",
    },
  });
