import { setTimeout as delay } from "node:timers/promises";
import { failOver, postgresReady, restartServer } from "../../test/support/faults";
import { startOrder, type Started, underLoad } from "../../test/support/load";
import { type Figure, seconds } from "../table";

const QUIET_MS = 30_000;

/**
 * Takes the longest time in which no workflow could be started: while the primary of Postgres is killed, while the
 * pods of all roles of the server are replaced, and, as what a start takes anyway, while nothing happens.
 *
 * @param environment of a client of the deployed stack
 */
export async function gapFigures(environment: Readonly<Record<string, string>>): Promise<Figure[]> {
  const start = (): Promise<Started> => startOrder(environment);
  const quiet = await underLoad(start, () => delay(QUIET_MS));
  const failover = await underLoad(start, failOver);
  await postgresReady(300);
  const restart = await underLoad(start, restartServer);
  return [
    gap("without a start of a workflow when nothing happens", quiet.longestGapMs),
    gap("without a start of a workflow while the primary of Postgres fails over", failover.longestGapMs),
    gap("without a start of a workflow during a rolling restart of all server roles", restart.longestGapMs),
  ];
}

const gap = (name: string, milliseconds: number): Figure => seconds(name, milliseconds / 1_000);
