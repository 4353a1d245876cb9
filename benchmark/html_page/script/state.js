// What is chosen stands in the fragment of the address, by name, so that a link shows what its sender sees, also after
// a run that has more methods.
const state = {
  // Names that the address asks for, and that are not there, by what they are names of.
  unfit: new Map(),
  read() {
    const parts = location.hash.slice(1).split("&").filter((part) => part.includes("="));
    return Object.fromEntries(parts.map((part) => [part.slice(0, part.indexOf("=")), readable.decode(part.slice(part.indexOf("=") + 1))]));
  },
  get(name) {
    return this.read()[name] ?? "";
  },
  // One of the known names: the one in the address, or the usual one if it has none that is known.
  choose(name, known, usual = known[0] ?? "") {
    const wanted = this.get(name);
    this.unfit.delete(name);
    if (known.includes(wanted)) return wanted;
    if (wanted) this.unfit.set(name, wanted);
    return usual;
  },
  // Where the chosen name stands in a list.
  place(name, known, usual) {
    return known.indexOf(this.choose(name, known, usual));
  },
  // Keeps what is chosen, as a step that the browser's Back undoes; an empty value is left out.
  set(changes, step = "pushState") {
    const dropped = Object.fromEntries([...this.unfit.keys()].map((name) => [name, ""]));
    this.unfit.clear();
    const all = Object.entries({ ...this.read(), ...dropped, ...changes }).filter(([, value]) => value !== "");
    const hash = `#${all.map(([name, value]) => `${name}=${readable.encode(value)}`).join("&")}`;
    if (hash !== location.hash) history[step](null, "", hash);
  },
  // Keeps what is no step of its own: each letter typed, an order of rows.
  keep(changes) {
    this.set(changes, "replaceState");
  },
  // Says what the address asks for in vain.
  tell() {
    const said = [...this.unfit].map(([name, wanted]) => `There is no ${MEANT[name] ?? name} '${wanted}' here; the usual one is shown.`);
    document.getElementById("unfit").replaceChildren(said.join(" "));
  },
};

// What is chosen, in words.
const MEANT = { dataset: "data set", a: "row to compare,", b: "row to compare with,", of: "model or method", sort: "column to sort by,", curves: "curve of" };

// Only those signs of a name are encoded that an address cannot hold.
const readable = {
  encode: (text) => encodeURIComponent(text).replace(/%(5B|5D|2C|3A|3D|40|2F)/g, decodeURIComponent),
  decode(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  },
};
