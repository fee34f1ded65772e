/** Every workflow that this worker serves, by the name under which clients start it. */
export { order } from "./order";
