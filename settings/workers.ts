import { z } from "zod";
import { environment, NODE_OPTIONS } from "./env";
import { cpu, flag, integer, memory, oneOf, rule } from "./fields";
import { dnsLabel, inYaml, taskQueue } from "./names";
import { bytesOf, canonicalMemory, millicoresOf } from "./quantity";
import { workerEgress } from "./workerEgress";
import { accountProblems, workerPodFields } from "./workerPod";
import { workerSecretFields, workerSecretProblems } from "./workerSecrets";
import { replay } from "./replay";
import { groupSmoke } from "./smoke";
import { WORKER_IMAGE } from "./stackImages";
import { workerRuntime } from "./workerRuntime";

/** A cached workflow takes about 1 MiB in typical programs (Temporal TypeScript SDK documentation). */
const CACHED_WORKFLOW_BYTES = 1024 ** 2;
/** A thread with the SDK and a workflow bundle needs about half of this; the rest is for work. */
const LEAST_HEAP_BYTES = 96 * 1024 ** 2;
const MAX_TASK_QUEUES = 20;

/**
 * Share of the memory limit, in percent, that the heap of each thread may take: one thread for activities and one
 * for the workflows of each task queue. Together they get 70 %; the rest is native memory, which the worker's test
 * of its memory limit (worker/test/server/memory.test.ts) proves to be enough.
 */
export function heapPercent(taskQueues: number): number {
  return Math.floor(70 / (taskQueues + 1));
}

/** CPU and memory of one container; no CPU limit unless one is asked for, as throttling delays heartbeats. */
export function containerResources(defaults: { cpu: string; memory: string; memoryLimit: string }) {
  return z
    .strictObject({
      requests: z
        .strictObject({
          cpu: cpu("CPU request").default(defaults.cpu).describe("CPU reserved for each pod."),
          memory: memory("memory request").default(defaults.memory).describe("Memory reserved for each pod."),
        })
        .prefault({}),
      limits: z
        .strictObject({
          cpu: cpu("CPU limit").optional().describe("CPU limit; none by default."),
          memory: memory("memory limit")
            .default(defaults.memoryLimit)
            .describe("Memory limit; a container that needs more is killed."),
        })
        .prefault({}),
    })
    .check(({ value, issues }) => {
      const { requests, limits } = value;
      if ((bytesOf(requests.memory) ?? 0) > (bytesOf(limits.memory) ?? 0)) {
        issues.push(
          rule(
            `the memory request (${requests.memory}) is above the limit (${limits.memory}); raise limits.memory or lower it`,
            ["requests", "memory"],
          ),
        );
      }
      if (limits.cpu !== undefined && (millicoresOf(requests.cpu) ?? 0) > (millicoresOf(limits.cpu) ?? 0)) {
        issues.push(
          rule(
            `the CPU request (${requests.cpu}) is above the limit (${limits.cpu}); raise limits.cpu or lower it`,
            ["requests", "cpu"],
          ),
        );
      }
    })
    .prefault({});
}

const replicas = z
  .strictObject({
    min: integer("minimum pods", 1, 1000)
      .default(3)
      .describe("Minimum number of pods; 3 survive a node drain during a rollout."),
    max: integer("maximum pods", 1, 1000).default(10).describe("Maximum number of pods of the autoscaler."),
    targetCpuPercent: integer("percent of the CPU request", 10, 100)
      .default(70)
      .describe("Target average CPU utilization of the autoscaler, in percent of the request."),
  })
  .check(({ value, issues }) => {
    if (value.min > value.max) {
      issues.push(
        rule(
          `the autoscaler's maximum (${String(value.max)}) is below its minimum, replicas.min (${String(value.min)}); raise max or lower min`,
          ["max"],
        ),
      );
    }
  })
  .prefault({});

const shutdown = z
  .strictObject({
    graceSeconds: integer("seconds", 1, 3600)
      .default(30)
      .describe(
        "Seconds that running activities have to finish; at least as long as the longest one without heartbeat.",
      ),
    forceSeconds: integer("seconds", 2, 3600)
      .default(40)
      .describe("Seconds after which the worker gives up on activities that ignore cancellation."),
    terminationGracePeriodSeconds: integer("seconds", 3, 3600)
      .default(60)
      .describe("Seconds after which Kubernetes kills the pod."),
  })
  .check(({ value, issues }) => {
    const { graceSeconds: grace, forceSeconds: force, terminationGracePeriodSeconds: termination } = value;
    if (force <= grace) {
      issues.push(
        rule(
          `must be more than graceSeconds: force ${String(force)} s leaves activities no time to react to the cancellation that comes after ${String(grace)} s; set terminationGracePeriodSeconds > forceSeconds > graceSeconds, like 60 > 40 > 30`,
          ["forceSeconds"],
        ),
      );
    }
    if (termination <= force) {
      issues.push(
        rule(
          `must be more than forceSeconds: Kubernetes would kill the pod after ${String(termination)} s, before the worker has stopped by itself (${String(force)} s); set terminationGracePeriodSeconds > forceSeconds > graceSeconds, like 60 > 40 > 30`,
          ["terminationGracePeriodSeconds"],
        ),
      );
    }
  })
  .prefault({});

const pollers = (least: number) => {
  return z
    .union([z.literal("auto"), integer('polls, or "auto"', least, 1000)], {
      error: `an integer from ${String(least)} to 1000 (polls), or "auto"`,
    })
    .default("auto");
};

/** What the task queues of a pod divide between them, and the least that each needs. */
const SHARED_BY_QUEUES = [
  ["maxCachedWorkflows", 2],
  ["activitySlots", 1],
  ["workflowTaskSlots", 2],
] as const;

/** One group of identical worker pods. */
export const worker = z
  .strictObject({
    name: inYaml(dnsLabel("a worker name", 30)).describe(
      "Name of the group; unique, part of object names and labels.",
    ),
    taskQueues: z
      .array(taskQueue, { error: "a list of task queue names" })
      .min(1, { error: "a list of at least one task queue name" })
      .max(MAX_TASK_QUEUES, { error: `a list of at most ${String(MAX_TASK_QUEUES)} task queue names` })
      .describe("Task queues that every pod polls; slots and cache are divided between them."),
    ...workerRuntime,
    replicas,
    resources: containerResources({ cpu: "250m", memory: "256Mi", memoryLimit: "1Gi" }),
    logFailureMessages: flag()
      .default(true)
      .describe("Whether logs and spans contain failure messages in plain text; `false`: only their types."),
    logLevel: oneOf(["trace", "debug", "info", "warn", "error"])
      .default("info")
      .describe("Minimum log level."),
    shutdown,
    activitySlots: integer("concurrent activities", 1, 10000)
      .optional()
      .describe("Maximum concurrent activities of one pod; derived from its memory limit by default."),
    workflowTaskSlots: integer("concurrent workflow tasks", 2, 10000)
      .optional()
      .describe("Maximum concurrent workflow tasks of one pod; derived from its memory limit by default."),
    maxCachedWorkflows: integer("workflows", 2, 100000)
      .optional()
      .describe("Workflows that one pod caches in memory; derived from its memory limit by default."),
    activityPollers: pollers(1).describe(
      "Polls for activities that a pod keeps open for each queue: `auto` (the server says, from 1.28 on), or a number.",
    ),
    workflowTaskPollers: pollers(2).describe(
      "Polls for workflow tasks that a pod keeps open for each queue: `auto` (the server says, from 1.28 on), or a number.",
    ),
    connect: z
      .strictObject({
        attemptSeconds: integer("seconds", 1, 120)
          .default(10)
          .describe("Seconds for one attempt to connect."),
        giveUpSeconds: integer("seconds", 1, 3600)
          .default(300)
          .describe("Seconds of failed attempts after which the pod exits and is restarted."),
      })
      .check(({ value, issues }) => {
        if (value.giveUpSeconds < value.attemptSeconds) {
          issues.push(
            rule(
              `is less than one attempt takes (attemptSeconds, ${String(value.attemptSeconds)}); raise it`,
              ["giveUpSeconds"],
            ),
          );
        }
      })
      .prefault({}),
    rolloutTimeoutSeconds: integer("seconds", 150, 3600)
      .default(300)
      .describe("Seconds after which `pulumi up` reports a rollout as failed; the old pods go on running."),
    env: environment.optional().describe("Additional environment variables; no secrets."),
    ...workerSecretFields,
    egress: workerEgress,
    ...workerPodFields,
    replay: replay.describe("Replay of the workflows that are open, before another image runs."),
    smoke: groupSmoke.describe("The smoke test of this group, where it differs from section `smoke`."),
  })
  .check(({ value, issues }) => {
    const { taskQueues, resources } = value;
    issues.push(...workerSecretProblems(value));
    taskQueues.forEach((name, index) => {
      if (taskQueues.indexOf(name) !== index) {
        issues.push(rule(`"${name}" stands in the list twice; remove one`, ["taskQueues", index]));
      }
    });
    // How other programs divide their memory between task queues is not known here.
    if (value.image !== WORKER_IMAGE) return;
    if (value.env?.[NODE_OPTIONS] !== undefined) {
      issues.push(rule("is set by this program from other settings; remove it here", ["env", NODE_OPTIONS]));
    }
    for (const [name, least] of SHARED_BY_QUEUES) {
      const needed = taskQueues.length * least;
      if ((value[name] ?? needed) < needed) {
        issues.push(
          rule(
            `${String(value[name])} cannot be divided between ${String(taskQueues.length)} task queues, each of which needs ${String(least)}; set at least ${String(needed)}`,
            [name],
          ),
        );
      }
    }
    const percent = heapPercent(taskQueues.length);
    const heap = ((bytesOf(resources.limits.memory) ?? 0) * percent) / 100;
    if (heap < LEAST_HEAP_BYTES) {
      const needed = canonicalMemory(Math.ceil(((LEAST_HEAP_BYTES / percent) * 100) / 1024 ** 2) * 1024 ** 2);
      issues.push(
        rule(
          `${resources.limits.memory} is too little for ${String(taskQueues.length)} workflow threads, one for each task queue; raise it to ${needed} or more${taskQueues.length > 1 ? ", or spread the queues over several groups" : ""}`,
          ["resources", "limits", "memory"],
        ),
      );
    }
    const room = Math.floor((heap * taskQueues.length) / CACHED_WORKFLOW_BYTES);
    if (value.maxCachedWorkflows !== undefined && value.maxCachedWorkflows > room) {
      issues.push(
        rule(
          `${String(value.maxCachedWorkflows)} workflows of about 1 MiB do not fit the heap of the workflow threads, ${String(percent * taskQueues.length)} % of resources.limits.memory (${resources.limits.memory}); set at most ${String(room)} or raise the limit`,
          ["maxCachedWorkflows"],
        ),
      );
    }
  });

/** All groups; names are unique. */
export const workers = z
  .array(worker, { error: "a list of workers" })
  .min(1, { error: "a list of at least one worker" })
  .max(100, { error: "a list of at most 100 workers" })
  .check(({ value, issues }) => {
    issues.push(...accountProblems(value));
    value.forEach(({ name }, index) => {
      const earlier = value.findIndex((group) => group.name === name);
      if (earlier !== index) {
        issues.push(
          rule(`"${name}" is the name of workers[${String(earlier)}] already; choose another`, [
            index,
            "name",
          ]),
        );
      }
    });
  });

/** Settings of one worker group. */
export type WorkerSettings = z.output<typeof worker>;
/** CPU and memory of one container. */
export type ResourceSettings = WorkerSettings["resources"];
