import type { HostedModel } from "../catalog.js";
import { json } from "../reply.js";
import type { Endpoint } from "../router.js";

/** `GET /models`, filtered by `type` and `sub_type`. Says in every entry that it comes from an emulator. */
export const models: Endpoint = ({ query }, { models }) => {
  const wantedType = query.get("type");
  const wantedSubType = query.get("sub_type");
  const data = [...models.values()]
    .filter((model) => !model.retired)
    .filter((model) => wantedSubType === null || model.kind === wantedSubType)
    .filter((model) => wantedType === null || typesOf(model).includes(wantedType))
    .map((model) => ({ id: model.id, object: "model", created: 0, owned_by: "emulator" }));
  return json({ object: "list", data });
};

/** A model that sees belongs to the image models as well as to the text models. */
function typesOf(model: HostedModel): string[] {
  if (model.kind.endsWith("-image")) return ["image"];
  if (model.kind.endsWith("-video")) return ["video"];
  if (model.kind.includes("speech")) return ["audio"];
  return model.vision ? ["text", "image"] : ["text"];
}
