import { readMetadata } from "../runtime/metadata";
import { serveProvider } from "../runtime/provider";
import { image } from "./image";

serveProvider(readMetadata(__dirname), {
  types: { "docker:index/image:Image": image },
  configuration: ["host"],
  configure({ host }) {
    if (typeof host === "string" && host !== "") process.env["DOCKER_HOST"] = host;
  },
});
