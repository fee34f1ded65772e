import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/**
 * Hash of a secret for a pod template: changes with the secret, and says nothing about it as long as that is
 * at least 128 bits of entropy.
 */
export function secretChecksum(secret: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi.unsecret(
    pulumi.output(secret).apply((text) => createHash("sha256").update(text).digest("hex")),
  );
}
