import { containerRule, EVERYWHERE, PRODUCTION } from "../rule";
import { textAt } from "../values";

/** Whether the last part of a reference has a tag or digest, as a registry's port looks like a tag. */
function tagOf(image: string): string | undefined {
  const [name = ""] = image.split("@");
  return /:([^/:]+)$/.exec(name)?.[1];
}

export const imageRules = [
  containerRule(
    {
      id: "image-tag",
      title: "Images have a tag that names a version, or a digest.",
      reason: "`latest` is another program tomorrow: a restarted pod runs what nobody has deployed.",
      fix: "name the image's version, or its digest",
      levels: EVERYWHERE,
    },
    (container) => {
      const image = textAt(container, "image");
      if (image === undefined || image.includes("@sha256:")) return undefined;
      const tag = tagOf(image);
      if (tag === undefined) return "runs an image without a tag, which means latest";
      return tag === "latest" ? "runs an image with the tag latest" : undefined;
    },
  ),
  containerRule(
    {
      id: "image-digest",
      title: "Images are named by digest.",
      reason: "A tag can be pushed again: only a digest is the content that was tested and rolled back to.",
      fix: "put `@sha256:…` behind the tag: registries and `docker buildx imagetools inspect` show it",
      levels: PRODUCTION,
    },
    (container) => {
      const image = textAt(container, "image");
      return image === undefined || image.includes("@sha256:") ? undefined : "runs an image without a digest";
    },
  ),
];
