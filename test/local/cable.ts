// Runs in a network namespace of its own: two nodes want the same cable, as with two state folders.
import { cableExists, connect, disconnect, isConnected } from "../../local/cluster/native/network";
import { close, open, type Sandbox } from "../../local/cluster/native/sandbox";

const sandbox = (name: string): Sandbox => ({ name, namespaces: ["pid", "mount", "net"] });
const first = sandbox("first-node");
const second = sandbox("second-node");

const refusal = (work: Promise<void>): Promise<string> =>
  work.then(
    () => "",
    (error: unknown) => String(error),
  );

async function main(): Promise<void> {
  try {
    const before = await isConnected(first);
    for (const node of [first, second]) await open(node);
    await connect(first);
    await connect(first);
    const report = {
      before,
      first: await isConnected(first),
      second: await isConnected(second),
      refusal: await refusal(connect(second)),
    };
    await close(first);
    await disconnect();
    console.log(JSON.stringify({ ...report, after: await cableExists() }));
  } finally {
    for (const node of [first, second]) await close(node);
  }
}

void main();
