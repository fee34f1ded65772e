import { type Footprint, footprint } from "./footprint";

let before: Footprint | undefined;

/** What the machine looked like before the first test, for the last one to compare with. */
export const footprintBefore = {
  take: (): void => {
    before = footprint();
  },
  get: (): Footprint => {
    if (before === undefined) throw new Error("the first test file has to run before this one");
    return before;
  },
};
