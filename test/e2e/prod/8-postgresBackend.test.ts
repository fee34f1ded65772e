import { randomBytes } from "node:crypto";
import type { AddressInfo, Server } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { forwardPort } from "../../../common/portForward";
import { adminKubeconfig } from "../../../local/cluster/native/pki";
import { keepsStacks, type Place } from "../checks/postgresBackend";
import { sql } from "./support";

/*
 * Pulumi's own database backend, in the Postgres of stack prod: any that is at hand will do, and this one is real,
 * with TLS and logins by SCRAM.
 */

const NAME = "e2e_pulumi";

describe("stacks in a Postgres database", () => {
  const password = randomBytes(20).toString("hex");
  let forward: Server | undefined;
  let place: Place | undefined;

  before("there are a database, a login, and a way to it", async () => {
    await sql(`CREATE ROLE ${NAME} LOGIN PASSWORD '${password}'`);
    await sql(`CREATE DATABASE ${NAME} OWNER ${NAME}`);
    const config = new KubeConfig();
    config.loadFromFile(adminKubeconfig);
    const target = { namespace: "temporal", service: "temporal-pg-rw", port: 5432 };
    forward = await forwardPort(config, target, 0);
    const { port } = forward.address() as AddressInfo;
    place = {
      url: `postgres://${NAME}:${password}@127.0.0.1:${port}/${NAME}?sslmode=require`,
      password,
      kubeconfig: adminKubeconfig,
      sql: (statement) => sql(statement, NAME),
    };
  });

  after(async () => {
    forward?.close();
    await sql(`DROP DATABASE IF EXISTS ${NAME} WITH (FORCE)`);
    await sql(`DROP ROLE IF EXISTS ${NAME}`);
  });

  keepsStacks(() => {
    if (place === undefined) throw new Error("there is no database yet");
    return place;
  });
});
