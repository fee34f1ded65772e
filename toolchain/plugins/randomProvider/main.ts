import { readMetadata } from "../runtime/metadata";
import { serveProvider } from "../runtime/provider";
import { randomBytes, randomId } from "./bytes";
import { randomPassword, randomString } from "./strings";
import { randomUuid } from "./uuid";

serveProvider(readMetadata(__dirname), {
  types: {
    "random:index/randomBytes:RandomBytes": randomBytes,
    "random:index/randomId:RandomId": randomId,
    "random:index/randomPassword:RandomPassword": randomPassword,
    "random:index/randomString:RandomString": randomString,
    "random:index/randomUuid:RandomUuid": randomUuid,
  },
  configuration: [],
});
