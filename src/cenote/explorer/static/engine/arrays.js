// Arrays as JSON carries them: a list of numbers, or bytes in base64 for large ones.

import { broken, range } from "./windows.js";

/**
 * @typedef {{dtype: string, shape: number[], data: string}} Packed  little endian: u1, f4 or f8
 */

/** Bytes of a number, and what a DataView calls it; the smallest first. @type {Record<string, [number, string]>} */
const KINDS = { u1: [1, "Uint8"], f4: [4, "Float32"], f8: [8, "Float64"] };

/** @type {Record<string, number>} */
const WORDS = { NaN: NaN, inf: Infinity, "-inf": -Infinity, "-0": -0 };
const NAMES = Object.keys(WORDS);

/** A number as JSON can carry it. @param {number} value @returns {number | string} */
export function spelled(value) {
  return NAMES.find((word) => Object.is(WORDS[word], value)) ?? value;
}

/** What `spelled` wrote. @param {any} value @param {string} name @returns {number} */
export function number(value, name) {
  const found = NAMES.includes(value) ? WORDS[value] : value;
  return typeof found === "number" ? found : broken(name, `${name} holds ${JSON.stringify(value)?.slice(0, 40)}, no number`);
}

/** Base64 of bytes. @param {Uint8Array} bytes */
export function toText(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Bytes of base64. @param {string} text */
export function toBytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** The numbers of a list or of packed bytes. @param {any} packed @param {string} name @returns {number[]} */
export function unpack(packed, name) {
  if (Array.isArray(packed)) return packed.map((value) => number(value, name));
  const { dtype, data } = Object(packed);
  if (!Object.hasOwn(KINDS, dtype) || typeof data !== "string") broken(name, `${name} is no list of numbers`);
  const [bytes, kind] = KINDS[dtype];
  const view = /** @type {any} */ (new DataView(toBytes(data).buffer));
  if (view.byteLength % bytes) broken(name, `${name} is cut short`);
  return range(view.byteLength / bytes, (i) => view[`get${kind}`](i * bytes, true));
}

/**
 * The numbers in the fewest bytes that hold them exactly.
 * @param {ArrayLike<number>} values @param {number[]} shape @returns {Packed}
 */
export function pack(values, shape) {
  const found = Object.entries(KINDS).map(([dtype, [bytes, kind]]) => {
    const view = /** @type {any} */ (new DataView(new ArrayBuffer(values.length * bytes)));
    const exact = Array.from(values).every((value, i) => {
      view[`set${kind}`](i * bytes, value, true);
      return Object.is(view[`get${kind}`](i * bytes, true), value);
    });
    return { dtype, exact, view };
  });
  const { dtype, view } = found.find(({ exact }) => exact) ?? found[2];
  return { dtype, shape, data: toText(new Uint8Array(view.buffer)) };
}
