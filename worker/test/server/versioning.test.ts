import assert from "node:assert/strict";
import { Client, Connection } from "@temporalio/client";
import type { WorkflowHandle } from "@temporalio/client";
import { temporal } from "@temporalio/proto";
import { failureConverterPath } from "../../src/codec/data-converter";
import { sampleOrder } from "../../src/domain/sample-orders";
import { approveOrder, loyaltyAccount, orderStatus, purchaseCompleted } from "../../src/messages";
import type { customerLoyalty, order } from "../../src/workflows";
import { eventually, WorkerProcess } from "../support/process";
import { Server, TASK_QUEUE, temporalCli } from "./harness";

const DEPLOYMENT = "orders";
const { VersioningBehavior, EventType } = temporal.api.enums.v1;

describe("worker versioning with a real server", () => {
  let server: Server;
  let connection: Connection;
  let client: Client;
  const workers: WorkerProcess[] = [];
  let purchases = 0;

  const startWorker = async (buildId?: string): Promise<WorkerProcess> => {
    const worker = await WorkerProcess.start({
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: "default",
      TEMPORAL_TASK_QUEUES: TASK_QUEUE,
      ...(buildId === undefined
        ? {}
        : { TEMPORAL_DEPLOYMENT_NAME: DEPLOYMENT, TEMPORAL_WORKER_BUILD_ID: buildId }),
    });
    workers.push(worker);
    return worker;
  };
  const stopWorkers = async (): Promise<void> => {
    await Promise.all(workers.splice(0).map((worker) => worker.process.end("SIGKILL")));
  };
  /** Sends tasks to a build, or with an empty id to workers without versioning. */
  const makeCurrent = (buildId: string): Promise<unknown> =>
    eventually(`build "${buildId}" is current`, () =>
      connection.workflowService.setWorkerDeploymentCurrentVersion({
        namespace: "default",
        deploymentName: DEPLOYMENT,
        buildId,
        ignoreMissingTaskQueues: true,
      }),
    );
  const startLargeOrder = async (workflowId: string): Promise<WorkflowHandle<typeof order>> => {
    const handle = await client.workflow.start<typeof order>("order", {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [sampleOrder({ large: true })],
    });
    await eventually("awaitingApproval", async () =>
      (await handle.query(orderStatus)).phase === "awaitingApproval" ? true : undefined,
    );
    return handle;
  };
  /** Tells the account of one more purchase, and waits until a worker has completed the task. */
  const purchase = async (account: WorkflowHandle<typeof customerLoyalty>): Promise<void> => {
    purchases += 1;
    await account.signal(purchaseCompleted, { orderId: `order-${purchases}`, totalMinor: 100 });
    await eventually(`purchase ${purchases}`, async () => {
      const last = (await account.fetchHistory()).events?.at(-1)?.eventType;
      return last === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED ? true : undefined;
    });
    assert.equal((await account.query(loyaltyAccount)).purchases, purchases);
  };
  const versioning = async (handle: WorkflowHandle) => {
    const { raw } = await handle.describe();
    const info = raw.workflowExecutionInfo?.versioningInfo;
    return { behavior: info?.behavior, buildId: info?.deploymentVersion?.buildId };
  };

  before(async () => {
    temporalCli();
    server = await Server.create();
    await server.start();
    connection = await Connection.connect({ address: server.address });
    client = new Client({ connection, dataConverter: { failureConverterPath } });
  });

  after(async () => {
    await stopWorkers();
    await connection.close();
    await server.remove();
  });

  it("workflows go on when versioning is switched on, over a new version, and when it is switched off", async function () {
    this.timeout(240_000);
    await startWorker();
    const unversioned = await startLargeOrder("begun-without-versioning");
    const account = await client.workflow.start<typeof customerLoyalty>("customerLoyalty", {
      workflowId: "loyalty/versioned",
      taskQueue: TASK_QUEUE,
      args: [{}],
    });
    await purchase(account);
    await stopWorkers();

    await startWorker("first");
    await makeCurrent("first");
    await unversioned.executeUpdate(approveOrder, { args: [{ approvedBy: "grace" }] });
    await unversioned.result();
    const pinned = await startLargeOrder("begun-on-first");
    assert.deepEqual(await versioning(pinned), {
      behavior: VersioningBehavior.VERSIONING_BEHAVIOR_PINNED,
      buildId: "first",
    });

    await startWorker("second");
    await makeCurrent("second");
    await purchase(account);
    assert.deepEqual(await versioning(account), {
      behavior: VersioningBehavior.VERSIONING_BEHAVIOR_AUTO_UPGRADE,
      buildId: "second",
    });
    await pinned.executeUpdate(approveOrder, { args: [{ approvedBy: "grace" }] });
    await pinned.result();
    assert.equal((await versioning(pinned)).buildId, "first");

    await stopWorkers();
    await makeCurrent("");
    await startWorker();
    await purchase(account);
  });
});
