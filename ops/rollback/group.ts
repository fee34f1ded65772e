import { z } from "zod";
import { Failure } from "../../common/failure";
import type { FileGroup } from "../../settings/groupFiles";
import { PROJECT } from "../../settings/mapping";
import { WORKER_IMAGE } from "../../settings/stackImages";
import type { UpdateConfig } from "../history/updates";

const groupsSchema = z.array(z.object({ name: z.string(), image: z.string().default(WORKER_IMAGE) }));

/**
 * The image that a worker group runs, and nobody else.
 *
 * @param config what the deployed update was configured with
 * @param files groups with a file of their own
 * @throws Failure when there is no such group, or others run its image, too
 */
export function imageOfGroup(
  config: UpdateConfig,
  group: string,
  stack: string,
  files: readonly FileGroup[] = [],
): string {
  const text = config[`${PROJECT}:workers`]?.value ?? "[]";
  const groups = groupsSchema.parse([
    ...groupsSchema.parse(JSON.parse(text)),
    ...files.map(({ worker }) => worker),
  ]);
  const found = groups.find(({ name }) => name === group);
  if (found === undefined) {
    throw new Failure(
      `stack ${stack} has no worker group "${group}"; nothing was changed`,
      `name one of ${groups.map(({ name }) => name).join(", ")}`,
    );
  }
  const others = groups.filter(({ name, image }) => name !== group && image === found.image);
  if (others.length > 0) {
    throw new Failure(
      `image "${found.image}" of group ${group} is run by ${others.map(({ name }) => name).join(", ")}, too; nothing was changed`,
      `leave --group away to take them back together; or give ${group} an image of its own: npm run promote -- --to ${stack} --group ${group} --digest sha256:…`,
    );
  }
  return found.image;
}
