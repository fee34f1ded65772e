import { InvalidArgumentError } from "commander";

/**
 * The number that an option of a command takes.
 * @throws InvalidArgumentError when it is no integer from 1 on
 */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("Give a number from 1 on.");
  return value;
}
