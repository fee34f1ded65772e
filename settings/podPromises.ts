import { looksSecret } from "./env";
import { rule } from "./fields";
import { isMapping } from "./mapping";

/*
 * What no setting may undo in the pods of the stack: Pod Security `restricted`, closed networks, bounded disks and
 * secrets out of plain text. The API server would refuse most of it, but only the pods: the rollout would hang.
 */

type Problem = ReturnType<typeof rule>;
type Path = (string | number)[];

/** Volumes that Pod Security `restricted` admits. */
const VOLUMES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

/** What is wrong with volumes that users add. */
export function volumeProblems(volumes: readonly unknown[], reserved: readonly string[]): Problem[] {
  const names = volumes.map((volume) => at(volume, "name"));
  return volumes.flatMap((volume, index) => {
    if (!isMapping(volume)) return [];
    const kinds = Object.keys(volume).filter((key) => key !== "name");
    return [
      ...(kinds.length === 1
        ? []
        : [rule("must have exactly one source beside its name, such as emptyDir or configMap", [index])]),
      ...kinds
        .filter((kind) => !VOLUMES.includes(kind))
        .map((kind) =>
          rule(
            `is refused: ${kind === "hostPath" ? "a folder of the node leads out of the container, and" : ""} Pod Security restricted admits ${VOLUMES.join(", ")} only; use one of them`,
            [index, kind],
          ),
        ),
      ...(volume["emptyDir"] !== undefined && at(volume, "emptyDir", "sizeLimit") === undefined
        ? [
            rule("has no limit, so that it could fill the node's disk; set sizeLimit", [
              index,
              "emptyDir",
              "sizeLimit",
            ]),
          ]
        : []),
      ...nameProblems(names, index, reserved, "volume").map((text) => rule(text, [index, "name"])),
    ];
  });
}

/** What is wrong with mounts: they need a volume that users may mount, and hide none of the program's. */
export function mountProblems(
  mounts: readonly unknown[],
  mountable: readonly string[],
  reservedPaths: readonly string[],
): Problem[] {
  return mounts.flatMap((mount, index) => {
    const [name, path] = [at(mount, "name"), at(mount, "mountPath")];
    const hidden = typeof path === "string" ? reservedPaths.find((own) => covers(path, own)) : undefined;
    return [
      ...(typeof name === "string" && !mountable.includes(name)
        ? [
            rule(`"${name}" is none of the volumes here (${mountable.join(", ")}); add it to volumes`, [
              index,
              "name",
            ]),
          ]
        : []),
      ...(hidden === undefined
        ? []
        : [
            rule(`would hide ${hidden}, which this program mounts; choose another folder`, [
              index,
              "mountPath",
            ]),
          ]),
    ];
  });
}

const withoutSlash = (path: string): string => path.replace(/\/+$/, "");

/** Whether something that is mounted at a path takes the place of what is at another. */
function covers(path: string, other: string): boolean {
  return `${other}/`.startsWith(`${withoutSlash(path)}/`) || withoutSlash(path).startsWith(`${other}/`);
}

/** What is wrong with containers that users add beside the worker. */
export function containerProblems(
  containers: readonly unknown[],
  reserved: readonly string[],
  mountable: readonly string[],
): Problem[] {
  const names = containers.map((container) => at(container, "name"));
  return containers.flatMap((container, index) => [
    ...nameProblems(names, index, reserved, "container").map((text) => rule(text, [index, "name"])),
    ...(typeof at(container, "image") === "string"
      ? []
      : [rule("is missing; must be an image", [index, "image"])]),
    ...securityProblems(at(container, "securityContext")).map(({ path, text }) =>
      rule(text, [index, "securityContext", ...path]),
    ),
    ...resourceProblems(container).map(({ path, text }) => rule(text, [index, "resources", ...path])),
    ...list(container, "ports").flatMap((port, number) =>
      at(port, "hostPort") === undefined && at(port, "hostIP") === undefined
        ? []
        : [
            rule("opens a port of the node, past every NetworkPolicy; remove it", [
              index,
              "ports",
              number,
              "hostPort",
            ]),
          ],
    ),
    ...list(container, "env").flatMap((variable, number) => {
      const [name, value] = [at(variable, "name"), at(variable, "value")];
      return typeof name === "string" && looksSecret(name) && typeof value === "string" && value !== ""
        ? [
            rule(
              "looks like a secret, but would stand in the Deployment and in the state in plain text; refer to a Secret with valueFrom.secretKeyRef",
              [index, "env", number, "value"],
            ),
          ]
        : [];
    }),
    ...mountProblems(list(container, "volumeMounts"), mountable, []).map((problem) => ({
      ...problem,
      path: [index, "volumeMounts", ...problem.path],
    })),
    ...(at(container, "restartPolicy") === undefined
      ? []
      : [
          rule("is this program's to set: list a container that keeps running under sidecars", [
            index,
            "restartPolicy",
          ]),
        ]),
  ]);
}

function nameProblems(
  names: readonly unknown[],
  index: number,
  reserved: readonly string[],
  what: string,
): string[] {
  const name = names[index];
  if (typeof name !== "string") return [];
  if (reserved.includes(name)) return [`"${name}" is a ${what} of this program; choose another name`];
  return names.indexOf(name) < index ? [`"${name}" is the name of two; choose another`] : [];
}

interface Found {
  readonly path: Path;
  readonly text: string;
}

const RESTRICTED = "which Pod Security restricted refuses; remove it";

function securityProblems(context: unknown): Found[] {
  const demand = (holds: boolean, text: string, ...path: Path): Found[] => (holds ? [] : [{ path, text }]);
  const added = list(context, "capabilities", "add").filter((name) => name !== "NET_BIND_SERVICE");
  const profile = at(context, "seccompProfile", "type");
  return [
    ...demand(
      at(context, "privileged") !== true,
      `gives the container its node, ${RESTRICTED}`,
      "privileged",
    ),
    ...demand(
      at(context, "allowPrivilegeEscalation") !== true,
      `lets the container gain privileges, ${RESTRICTED}`,
      "allowPrivilegeEscalation",
    ),
    ...demand(added.length === 0, `adds capabilities, ${RESTRICTED}`, "capabilities", "add"),
    ...demand(
      at(context, "runAsNonRoot") !== false,
      `lets the container run as root, ${RESTRICTED}`,
      "runAsNonRoot",
    ),
    ...demand(at(context, "runAsUser") !== 0, `runs the container as root, ${RESTRICTED}`, "runAsUser"),
    ...demand(profile !== "Unconfined", `turns seccomp off, ${RESTRICTED}`, "seccompProfile", "type"),
    ...demand(at(context, "procMount") === undefined, `changes /proc, ${RESTRICTED}`, "procMount"),
    ...demand(
      at(context, "readOnlyRootFilesystem") !== false,
      "lets intruders replace programs; remove it, and mount an emptyDir with a sizeLimit where the program writes",
      "readOnlyRootFilesystem",
    ),
  ];
}

function resourceProblems(container: unknown): Found[] {
  return [
    ["requests", "cpu"],
    ["requests", "memory"],
    ["limits", "memory"],
  ].flatMap((path) =>
    at(container, "resources", ...path) === undefined
      ? [{ path, text: "is missing; nodes and the autoscaler go by it, and a leak would end other pods" }]
      : [],
  );
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isMapping(inner) ? inner[key] : undefined), value);
}

function list(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}
