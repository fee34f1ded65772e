import type { Unwrap } from "@pulumi/pulumi";
import { z } from "zod";
import { rule } from "./fields";
import { partProblems } from "./openapi/validate";

const CORE = "io.k8s.api.core.v1";

/**
 * A part of a pod in Kubernetes' own form, checked against the schema of the API server of the pinned version.
 * @param kind of the part, such as `Toleration`
 */
export function kubernetesPart<Part>(kind: string) {
  return z
    .custom<Unwrap<Part>>()
    .check(({ value, issues }) => {
      issues.push(...partProblems(`${CORE}.${kind}`, value).map(({ path, text }) => rule(text, path)));
    })
    .meta({ type: "object" });
}

/** A list of such parts. */
export function kubernetesParts<Part>(kind: string) {
  return z.array(kubernetesPart<Part>(kind), { error: `a list of Kubernetes' ${kind}` });
}
