import { TEMPORAL_UID } from "../../components/manifests/temporalNames";
import { WORKER_UID } from "../../components/manifests/workerManifests";
import type { Settings } from "../../settings/settings";

/** A program of a container. */
export interface Program {
  /** Absent: that of the image. */
  readonly command?: readonly string[];
  readonly args: readonly string[];
}

/** An image that the stack needs anyway, and how to make connections with what is in it. */
export interface ProbeImage {
  readonly image: string;
  /** uid of its processes. */
  readonly user: number;
  readonly listen: (port: number) => Program;
  /** Ends with 0 if it has reached `host:port`. */
  readonly connect: (address: string) => Program;
}

const SECONDS = 5;

/** The image for a probe; undefined: none of the stack is known yet that could make a connection. */
export function probeImage({
  temporal,
  workerImage: { repository, digest },
}: Pick<Settings, "temporal" | "workerImage">): ProbeImage | undefined {
  const own = temporalCli(temporal);
  if (own !== undefined) return byTemporal(own.image, own.command);
  return digest === undefined ? undefined : byNode(`${repository}@${digest}`);
}

/** The image of the stack with the Temporal CLI; undefined: it has none. */
export function temporalCli(
  temporal: Settings["temporal"],
): { readonly image: string; readonly command?: string[] } | undefined {
  if (temporal.mode === "chart") return { image: temporal.images.adminTools, command: ["temporal"] };
  return temporal.mode === "devServer" ? { image: temporal.image } : undefined;
}

/** The Temporal CLI is a server and its client. */
const byTemporal = (image: string, command?: readonly string[]): ProbeImage => ({
  image,
  user: TEMPORAL_UID,
  listen: (port) => ({
    ...(command && { command }),
    args: ["server", "start-dev", "--headless", "--ip=0.0.0.0", `--port=${port}`, "--log-level=error"],
  }),
  connect: (address) => ({
    ...(command && { command }),
    args: [
      ...["operator", "cluster", "health", `--address=${address}`],
      ...[`--client-connect-timeout=${SECONDS}s`, `--command-timeout=${SECONDS}s`],
    ],
  }),
});

const CONNECT = `
const { hostname, port } = new URL("tcp://" + process.argv[1]);
const socket = require("node:net").connect({ host: hostname.replace(/[[\\]]/g, ""), port });
const end = (code, why) => { console.error(why); process.exit(code); };
socket.setTimeout(${SECONDS * 1000}, () => end(1, "timeout")).on("connect", () => end(0, "reached")).on("error", (error) => end(1, error.message));
`;

/** The worker's own Node.js. */
const byNode = (image: string): ProbeImage => ({
  image,
  user: WORKER_UID,
  listen: (port) => ({
    command: ["/nodejs/bin/node"],
    args: ["-e", `require("node:net").createServer((socket) => socket.end()).listen(${port})`],
  }),
  connect: (address) => ({ command: ["/nodejs/bin/node"], args: ["-e", CONNECT, address] }),
});
