import { z } from "zod";

const packages = z.array(z.looseObject({ name: z.string(), version: z.string() }));
const reportSchema = z.object({ invalid: packages, missing: packages });
const errorSchema = z.object({ error: z.object({ summary: z.string() }) });

/** What `npm audit signatures` found. */
export interface SignatureAnswer {
  /** Packages that are not signed, or wrongly. */
  readonly problems: readonly string[];
  /** Why there is no answer, if there is none. */
  readonly notChecked?: string;
}

/** Reads what `npm audit signatures --json` prints. */
export function signatureAnswer(stdout: string): SignatureAnswer {
  const content = parsed(stdout);
  const report = reportSchema.safeParse(content);
  if (!report.success) {
    const { data } = errorSchema.safeParse(content);
    return { problems: [], notChecked: data?.error.summary.split("\n")[0] ?? "npm gave no answer" };
  }
  const { invalid, missing } = report.data;
  return {
    problems: [
      ...invalid.map(({ name, version }) => `${name}@${version}: the signature is WRONG`),
      ...missing.map(({ name, version }) => `${name}@${version}: not signed`),
    ],
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
