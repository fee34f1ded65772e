import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";

const FILE = /^\/(\w[\w.-]*)$/;

/** Serves the files of one folder, by their names. */
export const fileServer = (folder: string): Server =>
  createServer(({ url = "" }, response) => {
    const name = FILE.exec(url)?.[1];
    const content = name === undefined ? Promise.reject(new Error(url)) : readFile(join(folder, name));
    content.then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });

if (require.main === module) {
  const [folder = "", host, port] = process.argv.slice(2);
  fileServer(folder).listen(Number(port), host);
}
