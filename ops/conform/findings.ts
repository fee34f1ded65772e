import type { Candidate } from "./candidate";
import { leftOut, SHUTDOWN, TEMPORAL_NAMESPACE } from "./candidate";
import { type Answer, isYes, type Trial } from "./trial";
import { failed, type Finding, notChecked, ok, warning } from "../doctor/finding";
import type { ImageConfig } from "../doctor/registry";
import { replayCommandOf } from "../../settings/replay";

const CONTRACT = "docs/worker-contract.md";
/** Of an end by SIGKILL. */
const KILLED = 137;
const SHELL = /(^|\/)(sh|bash|dash|ash|busybox)$/;

/** What an image says of itself. */
export function configFindings(
  { platforms, user, command }: ImageConfig,
  { platform, group }: Candidate,
): Finding[] {
  const [program = ""] = group.command ?? command;
  return [
    platforms.includes(platform)
      ? ok(`it is built for ${platforms.join(", ")}`)
      : failed(
          `it is built for ${platforms.join(", ")}, and its pods run on nodes of ${platform}`,
          "build it for that platform, or set images.NAME.platform",
        ),
    isRoot(user)
      ? warning(
          `its user is ${user === "" ? "not set, so root" : user}; pods of this program run it as 65532`,
          "end its Dockerfile with USER 65532:65532, so that it is nobody elsewhere, too",
        )
      : ok(`its user is ${user}`),
    SHELL.test(program)
      ? warning(
          `a shell starts it (${program}): SIGTERM reaches the shell, and the program only if the shell hands over with exec`,
          "write its ENTRYPOINT as a list that begins with the program",
        )
      : ok(program === "" ? "it names no program" : `no shell starts it: ${program}`),
  ];
}

const isRoot = (user: string): boolean => /^(|0|root)(:.*)?$/.test(user);

/** Whether it runs where a worker runs. */
export function startFindings({ ended }: Trial, candidate: Candidate): Finding[] {
  const missing = leftOut(candidate);
  const without =
    missing.length === 0
      ? []
      : [
          warning(
            `it was tried without what the group gets from Secrets and ConfigMaps: ${missing.join(", ")}`,
            "if it does not start without them, this says nothing: npm run preview and the rollout do",
          ),
        ];
  if (ended === undefined)
    return [
      ok("it runs as 65532 without capabilities, on a read-only root, with /tmp to write to"),
      ...without,
    ];
  const said = ended.said === "" ? "it said nothing" : `its last words: ${ended.said}`;
  return [
    failed(
      `it ended by itself with exit code ${String(ended.exitCode)}${ended.reason === "OOMKilled" ? ", for want of memory" : ""}; ${said}`,
      `see that it runs as uid 65532 on a read-only root with the environment of ${CONTRACT}`,
    ),
    ...without,
  ];
}

/** Whether it connects where the environment says. */
export function connectionFindings({ polled }: Trial, { group: { taskQueues } }: Candidate): Finding[] {
  const missing = taskQueues.filter((queue) => !polled.includes(queue));
  if (missing.length === 0)
    return [ok(`it polls ${taskQueues.join(", ")} at TEMPORAL_ADDRESS, in TEMPORAL_NAMESPACE`)];
  return [
    failed(
      `it does not poll ${missing.join(", ")} in namespace ${TEMPORAL_NAMESPACE} of the server that it was given`,
      "connect to TEMPORAL_ADDRESS with TEMPORAL_TLS as it says, and poll every queue of TEMPORAL_TASK_QUEUES in TEMPORAL_NAMESPACE",
    ),
  ];
}

/** Whether Kubernetes can ask it. */
export function healthFindings(
  { health, ready, ended }: Trial,
  { group: { probes, ports } }: Candidate,
): Finding[] {
  if (ended !== undefined) return [unseen];
  if (probes.mode === "none") {
    return [
      warning(
        "its group has no probes: nobody notices when it hangs",
        "serve health endpoints and set probes.mode: http, or give it programs for probes.mode: exec",
      ),
    ];
  }
  if (probes.mode === "exec") {
    return [
      ready
        ? ok("its readiness program says yes")
        : failed("its readiness program does not say yes", "see that it ends with 0 while the program polls"),
    ];
  }
  return Object.entries(health).map(([path, answer]) =>
    isYes(answer)
      ? ok(`${path} answers ${String(answer?.status)} on port ${String(ports.health)}`)
      : failed(
          `${path} on port ${String(ports.health)} ${answer === undefined ? "does not answer" : `answers ${String(answer.status)}`}`,
          "serve it on HEALTH_PORT, name other paths in probes, or set probes.mode: none",
        ),
  );
}

/** Whether a Prometheus can ask it. */
export function metricsFindings({ metrics, ended }: Trial, { group: { ports } }: Candidate): Finding[] {
  if (ended !== undefined) return [unseen];
  const port = String(ports.metrics);
  if (isMetrics(metrics)) return [ok(`/metrics on port ${port} answers in Prometheus' text format`)];
  return [
    warning(
      `/metrics on port ${port} ${metrics === undefined ? "does not answer" : "is no text format of Prometheus"}: the group has no metrics`,
      "bind the SDK's Prometheus exporter to METRICS_BIND_ADDRESS",
    ),
  ];
}

/** A sample, with or without labels, at the begin of a line. */
const isMetrics = (answer: Answer | undefined): boolean =>
  isYes(answer) && /^[a-zA-Z_:][\w:]*(\{[^\n]*\})? [-+\d.NI]/m.test(answer?.text ?? "");

/** Whether it ends when it is told to. */
export function shutdownFindings({ stopped, ended }: Trial): Finding[] {
  if (ended !== undefined) return [unseen];
  if (stopped === undefined) return [notChecked("how it ended was not seen", "run the command again")];
  const { exitCode, seconds } = stopped;
  const took = `${seconds.toFixed(1)} s`;
  if (exitCode === KILLED) {
    return [
      failed(
        `it did not end on SIGTERM, and was killed after ${took}`,
        "take SIGTERM in the program itself, stop polling and end within SHUTDOWN_FORCE_SECONDS",
      ),
    ];
  }
  if (seconds > SHUTDOWN.forceSeconds + SLACK_SECONDS) {
    return [
      failed(
        `it ended ${took} after SIGTERM, with nothing to do and SHUTDOWN_FORCE_SECONDS of ${String(SHUTDOWN.forceSeconds)}`,
        "cancel what is left after SHUTDOWN_GRACE_SECONDS and end within SHUTDOWN_FORCE_SECONDS",
      ),
    ];
  }
  return [
    exitCode === 0
      ? ok(`it ended ${took} after SIGTERM`)
      : warning(
          `it ended ${took} after SIGTERM with exit code ${String(exitCode)}`,
          "end with 0, so that a restart that was wanted looks like one",
        ),
  ];
}

/** The kubelet tells of an end a moment after it. */
const SLACK_SECONDS = 3;

/** Whether its open workflows can be replayed before a rollout. */
export function replayFindings({ named, group }: Candidate): Finding[] {
  const command = replayCommandOf(group);
  if (!named) {
    return [
      warning(
        "whether it has a replay command is a setting of its group, and none was named",
        "name the group with --group; without a command its rollouts are NOT CHECKED (docs/replay.md)",
      ),
    ];
  }
  return command.length === 0
    ? [
        warning(
          "its group names no replay command: rollouts are NOT CHECKED",
          "set workers[].replay.command (docs/replay.md)",
        ),
      ]
    : [ok(`its group replays with ${command.join(" ")}; npm run replay -- --image runs it`)];
}

/** Whether people can tell which build runs. */
export function buildFindings(
  { buildIds, metrics }: Trial,
  labels: ImageConfig["labels"] | undefined,
): Finding[] {
  const revision = labels?.["org.opencontainers.image.revision"];
  const own = /^worker_build_info\{/m.test(metrics?.text ?? "") ? ["metric worker_build_info"] : [];
  const names = [
    ...own,
    ...buildIds.map((id) => `build id ${id} at the server`),
    ...(revision === undefined ? [] : [`label revision ${revision}`]),
  ];
  return names.length > 0
    ? [ok(`it names its build: ${names.join("; ")}`)]
    : [
        warning(
          "it does not name its build",
          "set the label org.opencontainers.image.revision, or a build id in the worker's options",
        ),
      ];
}

const unseen = notChecked("it did not run long enough to be asked", "settle what start says first");
