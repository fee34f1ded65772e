import { join } from "node:path";
import { checkout } from "../../common/paths";

/** Folder of the tests' own stack files: those of the checkout are their users' to edit. */
export const STACK_FILES = join(checkout, "test/fixtures/stacks");
