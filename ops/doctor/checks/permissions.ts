import { deployerClusterRules, deployerRoles } from "../../../components/manifests/deployer";
import { ownNamespaces } from "../../../components/manifests/flows";
import type { Rule } from "../../../components/manifests/accounts";
import type { Settings } from "../../../settings/settings";
import type { Check } from "../check";
import { type Finding, failed, ok } from "../finding";
import { inLanes } from "../lanes";

/** One thing that somebody wants to do. */
export interface Access {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly name?: string;
  /** Absent: in the cluster as a whole. */
  readonly namespace?: string;
}

/** Everything; who may do that needs not be asked for the rest. */
const EVERYTHING: Access = { verb: "*", group: "*", resource: "*" };

/** What the deployer's roles allow, asked of the API server for the identity of this kubeconfig. */
export const permissions: Check = {
  name: "permissions",
  about: "permissions of who deploys",
  seconds: 180,
  examine: async ({ settings, cluster }) => {
    if (await cluster.may(EVERYTHING)) return [ok("this identity may do everything in the cluster")];
    const missing = await missingNamespaces(settings, (name) => cluster.namespaceLabels(name));
    const wanted = [...neededAccess(settings), ...missing.map(creationOf)];
    const answers = await inLanes(wanted, (access) => cluster.may(access));
    return permissionFindings(settings.stack, {
      asked: wanted.length,
      denied: wanted.filter((_, index) => answers[index] === false),
    });
  },
};

const creationOf = (name: string): Access => ({ verb: "create", group: "", resource: "namespaces", name });

async function missingNamespaces(
  settings: Settings,
  labelsOf: (name: string) => Promise<object | undefined>,
): Promise<string[]> {
  const own = ownNamespaces(settings);
  const found = await Promise.all(own.map(labelsOf));
  return own.filter((_, index) => found[index] === undefined);
}

/** Every single permission of the roles that `npm run deployer` prints. */
export function neededAccess(settings: Settings): Access[] {
  return [
    ...deployerClusterRules(settings).flatMap((rule) => accessOf(rule)),
    ...deployerRoles(settings).flatMap(({ namespace, rules }) =>
      rules.flatMap((rule) => accessOf(rule, namespace)),
    ),
  ];
}

function accessOf({ apiGroups, resources, resourceNames, verbs }: Rule, namespace?: string): Access[] {
  const names = resourceNames ?? [undefined];
  return apiGroups.flatMap((group) =>
    resources.flatMap((path) => {
      const [resource = "", subresource] = path.split("/");
      return names.flatMap((name) =>
        verbs.map((verb) => ({
          verb,
          group,
          resource,
          ...(subresource === undefined ? {} : { subresource }),
          ...(name === undefined ? {} : { name }),
          ...(namespace === undefined ? {} : { namespace }),
        })),
      );
    }),
  );
}

/** One line for each place and resource that something is missing of. */
export function permissionFindings(
  stack: string,
  { asked, denied }: { readonly asked: number; readonly denied: readonly Access[] },
): Finding[] {
  if (denied.length === 0) return [ok(`this identity has all ${asked} permissions that a deployment needs`)];
  const remedy = `an administrator runs npm run --silent deployer -- -s ${stack} with --user, --group or --service-account, and applies what it prints (docs/rbac.md)`;
  const byPlace = grouped(denied, ({ namespace }) => namespace);
  return [...byPlace].map(([namespace, accesses]) => {
    const byResource = grouped(accesses, resourceText);
    const lines = [...byResource].map(
      ([resource, some]) => `${[...new Set(some.map(({ verb }) => verb))].join(", ")} ${resource}`,
    );
    const where = namespace === undefined ? "the cluster" : `namespace ${namespace}`;
    return failed(`this identity may not, in ${where}: ${lines.join("; ")}`, remedy);
  });
}

function grouped<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function resourceText({ group, resource, subresource, name }: Access): string {
  const path = subresource === undefined ? resource : `${resource}/${subresource}`;
  return `${path}${group === "" ? "" : `.${group}`}${name === undefined || name === "" ? "" : ` ${name}`}`;
}
