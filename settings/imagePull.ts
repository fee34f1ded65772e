import { z } from "zod";
import { ifWrongType, text } from "./fields";
import { imageRepository, registry } from "./images";
import { objectName } from "./names";
import { secretSetting } from "./secretSettings";

const mirrorPrefix = () => imageRepository("a registry, with a path perhaps");

/** Where the cluster pulls all images of the stack from, and how it logs in there. */
export const imagePull = z
  .strictObject({
    mirror: mirrorPrefix()
      .optional()
      .describe(
        "Registry, with a path perhaps, below which the images of every registry are under its name: `ghcr.io/a/b:1` becomes `<mirror>/ghcr.io/a/b:1`. Without it images come from where they are published.",
      ),
    mirrors: z
      .record(
        registry("a registry's host, such as docker.io or ghcr.io"),
        mirrorPrefix(),
        ifWrongType("a mapping of registries to their mirrors"),
      )
      .default({})
      .describe(
        "Mirrors of single registries, as pull-through caches have them: with `docker.io: <mirror>`, `temporalio/server:1` becomes `<mirror>/temporalio/server:1`.",
      ),
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
