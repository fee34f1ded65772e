import assert from "node:assert/strict";
import "./folders";
import { registryHost } from "../../local/cluster/native/addresses";
import { chartImages } from "../../local/cluster/native/chartImages";
import { type Image, localImages, pinnedDockerfile } from "../../local/cluster/native/images";

describe("the images of the local cluster", () => {
  const { postgres, ...charts } = chartImages;
  const all: readonly Image[] = [
    ...Object.values(localImages),
    ...Object.values(charts),
    postgres("17", "17.5"),
  ];
  const pinned = ({ name }: Image): Promise<string> =>
    Promise.resolve(`${registryHost}/${name.split(":")[0] ?? ""}@sha256:${"0".repeat(64)}`);

  for (const image of all) {
    it(`build ${image.name} upon digests: anybody on the machine may push a tag`, async () => {
      const lines = (await pinnedDockerfile(image, pinned)).split("\n");
      const stages = new Set(["scratch", ...lines.flatMap((line) => / AS (\S+)$/.exec(line)?.[1] ?? [])]);
      const sources = lines.flatMap((line) => /^(?:FROM |COPY --from=)(\S+)/.exec(line)?.[1] ?? []);
      assert.ok(sources.length > 0);
      for (const source of sources) {
        if (!stages.has(source)) assert.match(source, /@sha256:0{64}$/);
      }
    });
  }

  it("build upon each other, so that the test above has something to look at", () => {
    assert.ok(all.filter(({ bases = [] }) => bases.length > 0).length >= 8);
  });
});
