// A served page asks cenote's compiled kernels as well, and says whether they agree.

import { unpack } from "../engine/arrays.js";
import { shown } from "../engine/formula.js";
import { packed } from "../engine/state.js";
import { put } from "./dom.js";

/** @param {import("./app.js").Page} page */
export function kernelsPanel({ view, data: { token } }) {
  return {
    /** @param {import("./app.js").View} now */
    async update({ state, asked, answer }) {
      if (!token) return;
      // A filter is the page's own: the kernels get what it made.
      const sent = packed({ ...state, shape: asked.shape, values: Array.from(asked.values), filter: null });
      const response = await fetch("pool", { method: "POST", headers: { "X-Cenote-Token": token }, body: JSON.stringify(sent) });
      const { error, values } = await response.json();
      if (view().answer !== answer) return;
      if (error) return put("kernels", `cenote's kernels refuse: ${error}`);
      const apart = unpack(values, "values").reduce((most, value, i) => {
        const ours = answer.values[i];
        return Object.is(value + 0, ours + 0) ? most : Math.max(most, Math.abs(value - ours));
      }, 0);
      const verdict = apart === 0 ? "the same values" : `apart by ${shown(apart, 2)}, for they add in another order`;
      put("kernels", `cenote's kernels, asked as well: ${verdict}`);
    },
  };
}
