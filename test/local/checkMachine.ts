// Runs the preflight in a process of its own: as another user, with the folders and PATH of its environment.
import { z } from "zod";
import { Failure } from "../../local/failure";
import { checkMachine } from "../../local/preflight";

const argumentsSchema = z.object({ port: z.number(), uid: z.number().optional() });

async function main(): Promise<void> {
  const { port, uid } = argumentsSchema.parse(JSON.parse(process.argv[2] ?? ""));
  if (uid !== undefined) process.setuid?.(uid);
  try {
    await checkMachine({ way: "native", mustBuild: true, ports: [port] });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.log(JSON.stringify({ message: error.message, remedy: error.remedy, details: error.details }));
  }
}

void main();
