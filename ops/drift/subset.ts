import { isMapping, type Mapping } from "../../settings/mapping";
import { isMarked, type Leaf, leavesOf, SECRET } from "../report/values";

/** A field that runs otherwise than it was applied. */
export interface Difference {
  readonly path: string;
  /** Masked if secret. */
  readonly applied: string;
  /** undefined: it is not there. */
  readonly found: string | undefined;
}

/** A Kubernetes object, of which only the name is known. */
export interface ObjectManifest extends Mapping {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Fields that others own even though a chart may write them. */
const FOREIGN = [
  /^status(\.|$)/,
  /(^|\.)caBundle$/,
  /^metadata\.(creationTimestamp|managedFields|resourceVersion)$/,
];
/** Fields that hold quantities, of which a server may keep another spelling. */
const QUANTITY = /(^|\.)(requests|limits|capacity|hard|sizeLimit|storage)(\.|\[|$)/;

/**
 * Compares an object with what was applied, field by field, as server-side apply sees it: what was applied must be
 * there; what the server or others have added is theirs.
 *
 * @param ignored further fields that others own, such as the replicas of an autoscaler's target
 */
export function differences(
  applied: ObjectManifest,
  found: Mapping,
  ignored: readonly string[] = [],
): Difference[] {
  const differing: Difference[] = [];
  const normal = withoutStringData(applied);
  const comparison = new Comparison(ignored, (path, want, have) => {
    differing.push({
      path,
      applied: textOf(normal, path, want),
      found: have === undefined ? undefined : textOf(normal, path, have),
    });
  });
  comparison.mappings("", normal, found);
  return differing;
}

class Comparison {
  constructor(
    private readonly ignored: readonly string[],
    private readonly report: (path: string, want: unknown, have: unknown) => void,
  ) {}

  mappings(path: string, want: Mapping, have: Mapping): void {
    for (const [key, value] of Object.entries(want)) {
      this.values(path === "" ? key : `${path}.${key}`, value, have[key]);
    }
  }

  private values(path: string, want: unknown, have: unknown): void {
    if (this.ignored.includes(path) || FOREIGN.some((field) => field.test(path))) return;
    // A chart's `annotations:` with nothing below applies nothing.
    if (want === null || want === undefined) return;
    // The engine keeps secrets encrypted, and compares them itself.
    if (isMarked(want)) return;
    if (isEmpty(want) && (have === undefined || have === null || isEmpty(have))) return;
    if (isMapping(want) && isMapping(have)) this.mappings(path, want, have);
    else if (Array.isArray(want) && Array.isArray(have)) this.lists(path, want, have);
    else if (!sameScalar(path, want, have)) this.report(path, want, have ?? undefined);
  }

  private lists(path: string, want: readonly unknown[], have: readonly unknown[]): void {
    const key = mergeKey(want);
    if (key === undefined) {
      if (want.length !== have.length) this.report(path, want, have);
      else want.forEach((item, index) => this.values(`${path}[${index}]`, item, have[index]));
      return;
    }
    for (const item of want.filter(isMapping)) {
      const name = item[key];
      this.values(
        `${path}[${String(name)}]`,
        item,
        have.find((other) => isMapping(other) && other[key] === name),
      );
    }
  }
}

/** Keys by which the API server tells the items of a list apart, most telling first. */
const MERGE_KEYS = ["mountPath", "name", "containerPort", "port", "ip", "topologyKey"] as const;

function mergeKey(list: readonly unknown[]): string | undefined {
  return MERGE_KEYS.find((key) => {
    const names = list.flatMap((item) => (isMapping(item) && item[key] !== undefined ? [item[key]] : []));
    return list.length > 0 && names.length === list.length && new Set(names).size === names.length;
  });
}

/** Item of a list as paths name it. */
export function itemName(item: unknown): string {
  if (!isMapping(item)) return String(item);
  const key = MERGE_KEYS.find((name) => item[name] !== undefined);
  return key === undefined ? JSON.stringify(item) : String(item[key]);
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  value === false ||
  value === 0 ||
  (typeof value === "object" && Object.keys(value).length === 0);

function sameScalar(path: string, want: unknown, have: unknown): boolean {
  if (want === have) return true;
  if (!isScalar(want) || !isScalar(have)) return false;
  // A chart writes `port: "80"` where the server keeps a number.
  if (String(want) === String(have)) return true;
  return QUANTITY.test(path) && sameQuantity(String(want), String(have));
}

const isScalar = (value: unknown): value is string | number | boolean =>
  ["string", "number", "boolean"].includes(typeof value);

/** Powers of ten, or of 1024 where an `i` follows. */
const PREFIXES: Readonly<Record<string, number>> = {
  n: -3,
  u: -2,
  m: -1,
  "": 0,
  k: 1,
  K: 1,
  M: 2,
  G: 3,
  T: 4,
  P: 5,
  E: 6,
};

function sameQuantity(one: string, other: string): boolean {
  const amount = amountOf(one);
  return amount !== undefined && amount === amountOf(other);
}

/** `500m`, `0.5` and `5e-1` are the same amount. */
function amountOf(text: string): number | undefined {
  const [, number, prefix = "", binary] =
    /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([numkKMGTPE]?)(i?)$/.exec(text) ?? [];
  const power = PREFIXES[prefix];
  return number === undefined || power === undefined
    ? undefined
    : Number(number) * (binary === "" ? 1000 : 1024) ** power;
}

/** The server keeps `stringData` as `data`. */
function withoutStringData(object: ObjectManifest): ObjectManifest {
  const { stringData, ...rest } = object;
  if (!isMapping(stringData)) return object;
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString("base64"),
  ]);
  return {
    ...rest,
    data: { ...(isMapping(rest["data"]) ? rest["data"] : {}), ...Object.fromEntries(encoded) },
  };
}

const ITEM = "item";

/** Values as a report shows them: masked where they are secret. */
export function textOf(object: Mapping, path: string, value: unknown): string {
  if (object["kind"] === "Secret" && /^(data|stringData)(\.|$)/.test(path)) return SECRET;
  // An item of a list is shown by what it holds.
  const key = path.endsWith("]") ? ITEM : path.slice(path.lastIndexOf(".") + 1);
  const leaves = [...leavesOf({ [key]: value }).values()];
  if (leaves.length === 1 && leaves[0] !== undefined) return leaves[0].text;
  const shown = (leaf: Leaf) => (key === ITEM ? leaf.path.slice(ITEM.length + 1) : leaf.path);
  return leaves.map((leaf) => `${shown(leaf)}: ${leaf.text}`).join(", ");
}
