// A default export that cannot be called.
export default 12;
