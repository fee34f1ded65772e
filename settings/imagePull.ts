import { z } from "zod";
import { text } from "./fields";
import { registry } from "./images";
import { objectName } from "./names";
import { secretSetting } from "./secretSettings";

/** How the cluster logs in to the registries of all images of the stack. */
export const imagePull = z
  .strictObject({
    existing: z
      .array(objectName("the name of a Secret"), { error: "a list of Secret names" })
      .max(10, { error: "a list of at most 10 Secret names" })
      .default([])
      .describe(
        "Secrets of type `kubernetes.io/dockerconfigjson` that exist, by the same names, in each namespace of the stack.",
      ),
    login: z
      .strictObject({
        server: registry("a registry's host, with its port if that is not 443").describe(
          "Registry of the images.",
        ),
        username: text("a user name", /^[^\s:]+$/, 255).describe("User that may pull and nothing else."),
        password: secretSetting(
          z.string({ error: "a secret text" }).min(1, { error: "a secret text" }),
        ).describe("Its password or token; only as a secret: `pulumi config set --secret --path`."),
      })
      .optional()
      .describe("Login from which a Secret is made in each namespace of the stack."),
  })
  .prefault({});
