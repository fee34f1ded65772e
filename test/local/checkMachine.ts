// Runs the preflight in a process of its own: as another user, with the folders and PATH of its environment.
import { Failure } from "../../common/failure";
import { checkMachine } from "../../local/preflight";

const [port, uid] = process.argv.slice(2).map(Number);

async function main(): Promise<void> {
  if (uid !== undefined) process.setuid?.(uid);
  try {
    await checkMachine({ way: "native", buildSeconds: 1_500, ports: port === undefined ? [] : [port] });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.log(JSON.stringify({ message: error.message, remedy: error.remedy, details: error.details }));
  }
}

void main();
