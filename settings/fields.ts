import { z } from "zod";
import { bytesOf, canonicalCpu, canonicalMemory, millicoresOf } from "./quantity";

/*
 * Building blocks of the schema. The error text of every field is what the value must be, in words that fit
 * after "must be"; problems.ts adds the key, what was found and what to do.
 */

/** A text matching `pattern`; `expected` says it in words. */
export function text(expected: string, pattern: RegExp, maxLength = 1000) {
  return z
    .string({ error: expected })
    .max(maxLength, { error: expected, abort: true })
    .regex(pattern, { error: expected });
}

/** An integer in a closed range; `what` names it with its unit. */
export function integer(what: string, minimum: number, maximum: number) {
  const error = `an integer from ${String(minimum)} to ${String(maximum)} (${what})`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

/** `true` or `false`. */
export function flag() {
  return z.boolean({ error: "true or false" });
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `one of ${words.map((word) => `"${word}"`).join(", ")}` });
}

/** Replaces zod's message where the value is of another kind; messages about what is in it stay. */
export function ifWrongType(expected: string) {
  return {
    error: (issue: { readonly code?: string }) => (issue.code === "invalid_type" ? expected : undefined),
  };
}

const MEBIBYTE = 1024 ** 2;
const TEBIBYTE = 1024 ** 4;

/** Memory of a container: from 16Mi, in which no program starts, to the largest machines. */
export function memory(what: string) {
  return bytes(what, 16 * MEBIBYTE, 31 * TEBIBYTE);
}

/** Size of a volume. */
export function volumeSize(what: string, minimum = MEBIBYTE) {
  return bytes(what, minimum, 1023 * TEBIBYTE);
}

function bytes(what: string, minimum: number, maximum: number) {
  const range = `from ${canonicalMemory(minimum)} to ${canonicalMemory(maximum)}`;
  return quantity(`a Kubernetes quantity ${range}, such as 512Mi or 2Gi (${what})`, {
    measure: bytesOf,
    spell: canonicalMemory,
    minimum,
    maximum,
  });
}

/** CPU time; Kubernetes spells a thousand cores and more in another unit. */
export function cpu(what: string) {
  return quantity(`a Kubernetes quantity from 1m to 999 cores, such as 250m or "2" (${what})`, {
    measure: millicoresOf,
    spell: canonicalCpu,
    minimum: 1,
    maximum: 999_000,
  });
}

interface Unit {
  readonly measure: (text: string) => number | undefined;
  readonly spell: (amount: number) => string;
  readonly minimum: number;
  readonly maximum: number;
}

function quantity(expected: string, { measure, spell, minimum, maximum }: Unit) {
  const amountOf = (value: string) => {
    const amount = measure(value);
    return amount === undefined || amount < minimum || amount > maximum ? undefined : amount;
  };
  return z
    .string({ error: expected })
    .max(20, { error: expected, abort: true })
    .refine(
      (value) => {
        const amount = amountOf(value);
        return amount !== undefined && spell(amount) === value;
      },
      {
        error: ({ input }) => {
          const amount = typeof input === "string" ? amountOf(input) : undefined;
          return amount === undefined ? expected : `${spell(amount)}, the spelling that Kubernetes keeps`;
        },
      },
    );
}

/**
 * Marks a problem whose message is a whole sentence instead of an expectation: a rule between fields.
 * @param path where, relative to the object that is checked
 */
export function rule(message: string, path: (string | number)[], input?: unknown) {
  return { code: "custom" as const, message, path, input, params: { sentence: true } };
}

/** A key that somebody will try and that is refused with the reason, instead of as an unknown one. */
export function refusedKey(reason: string) {
  return z
    .unknown()
    .optional()
    .check(({ value, issues }) => {
      if (value !== undefined) issues.push(rule(reason, []));
    });
}
