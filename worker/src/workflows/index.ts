/** Every workflow that this worker serves, by the name under which clients start it. */
export { canary, canaryChild } from "./canary";
export { customerLoyalty } from "./customer-loyalty";
export { order } from "./order";
export { shipment } from "./shipment";
