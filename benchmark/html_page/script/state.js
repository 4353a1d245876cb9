// What is chosen stands in the fragment of the address, so that a link shows what its sender sees.
const state = {
  read() {
    return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  },
  get(name, otherwise = "") {
    return this.read()[name] ?? otherwise;
  },
  // Keeps what is chosen; an empty value is left out.
  set(changes) {
    const all = { ...this.read(), ...changes };
    const words = new URLSearchParams(Object.entries(all).filter(([, value]) => value !== "" && value !== null));
    history.replaceState(null, "", `#${words}`);
  },
};
