import { execa } from "execa";

/** User and system time of a process by its `/proc/<pid>/stat`, in clock ticks: proc(5), fields 14 to 17. */
export function processorTicks(stat: string): { own: number; withDescendants: number } {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const sum = (count: number): number =>
    fields.slice(11, 11 + count).reduce((total, field) => total + Number(field), 0);
  return { own: sum(2), withDescendants: sum(4) };
}

/** Clock ticks of a second. */
export async function ticksPerSecond(): Promise<number> {
  const { stdout } = await execa("getconf", ["CLK_TCK"]);
  return Number(stdout);
}
