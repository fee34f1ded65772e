/*
 * Checks of what arrives from outside, where the types are only a promise: anybody may start a workflow or send it a
 * message. Code that trips over such input fails the workflow's task, which is then repeated for ever.
 */

/** Problems of one value, each naming its field; empty when there is none. */
export type Check = (value: unknown, path: string) => string[];

const problem = (holds: boolean, path: string, expected: string): string[] =>
  holds ? [] : [`${path}: expected ${expected}`];

export const text: Check = (value, path) =>
  problem(typeof value === "string" && value.length > 0, path, "a non-empty string");

export const matching =
  (pattern: RegExp, expected: string): Check =>
  (value, path) =>
    problem(typeof value === "string" && pattern.test(value), path, expected);

export const integerFrom =
  (min: number, max = Number.MAX_SAFE_INTEGER): Check =>
  (value, path) =>
    problem(
      Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max,
      path,
      max === Number.MAX_SAFE_INTEGER ? `an integer from ${min}` : `an integer from ${min} to ${max}`,
    );

export const numberBetween =
  (min: number, max: number): Check =>
  (value, path) =>
    problem(typeof value === "number" && value >= min && value <= max, path, `${min} to ${max}`);

export const boolean: Check = (value, path) => problem(typeof value === "boolean", path, "true or false");

/** A field that may be absent. */
export const optional =
  (check: Check): Check =>
  (value, path) =>
    value === undefined ? [] : check(value, path);

export const listOf =
  (check: Check, { min = 0, of: name }: { min?: number; of: string }): Check =>
  (value, path) => {
    if (!Array.isArray(value)) return [`${path}: expected a list`];
    return [
      ...problem(value.length >= min, path, `at least one ${name}`),
      ...value.flatMap((item: unknown, index) => check(item, `${path}[${index}]`)),
    ];
  };

export const object =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return [`${path || "input"}: expected an object`];
    }
    const given: Readonly<Record<string, unknown>> = { ...value };
    return Object.entries(fields).flatMap(([name, check]) =>
      check(given[name], path === "" ? name : `${path}.${name}`),
    );
  };
