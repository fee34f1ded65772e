import { condition, defineSignal, setHandler } from "@temporalio/workflow";

export const finish = defineSignal("finish");

/** Waits on a timer, its first recorded command. */
export async function waiting(input: string): Promise<string> {
  let finished = false;
  setHandler(finish, () => void (finished = true));
  await condition(() => finished, "30 days");
  return input;
}

/** Not in every candidate. */
export async function retired(): Promise<void> {
  await condition(() => false, "30 days");
}
