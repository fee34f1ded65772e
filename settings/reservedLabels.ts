import { rule } from "./fields";

/**
 * Labels that Kubernetes, an operator, Helm or this program sets, or that policies and controllers select by.
 */
const RESERVED =
  /^((([a-z0-9-]+\.)*(kubernetes\.io|k8s\.io|cnpg\.io|cloudnative-pg\.io|temporal\.io)|helm\.sh|pulumi\.com|temporal-stack)\/.*|pod-template-hash|pod-template-generation|controller-revision-hash|controller-uid|job-name)$/;

/** What is wrong with labels that users add: they would take the place of one that something relies on. */
export function reservedLabelProblems(labels: Readonly<Record<string, unknown>>) {
  return Object.keys(labels)
    .filter((key) => RESERVED.test(key))
    .map((key) =>
      rule(
        "is reserved: Kubernetes, an operator or this program sets it, and policies select by it; choose another key",
        [key],
      ),
    );
}
