import * as pulumi from "@pulumi/pulumi";

/** A setting that must never be shown: printing, concatenating or serialising it gives a placeholder. */
export class Sensitive {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value as a secret Output; the only way to it. */
  reveal(): pulumi.Output<string> {
    return pulumi.secret(this.#value);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }
}
