import { readMetadata } from "../runtime/metadata";
import { serveProvider } from "../runtime/provider";
import { randomPassword } from "./password";
import { randomUuid } from "./uuid";

serveProvider(readMetadata(__dirname), {
  types: {
    "random:index/randomPassword:RandomPassword": randomPassword,
    "random:index/randomUuid:RandomUuid": randomUuid,
  },
  configuration: [],
});
