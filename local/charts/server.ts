import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";

/** Serves the files of one folder, by their names. */
export const fileServer = (folder: string): Server =>
  createServer(({ url = "" }, response) => {
    const [, name] = /^\/([\w-][\w.-]*)$/.exec(url) ?? [];
    readFile(join(folder, name ?? "index.yaml")).then(
      (content) => response.writeHead(name === undefined ? 404 : 200).end(name === undefined ? "" : content),
      () => response.writeHead(404).end(),
    );
  });

if (require.main === module) {
  const [folder = "", host, port] = process.argv.slice(2);
  fileServer(folder).listen(Number(port), host);
}
