// Re-exported by another module.
export const inner = 'inner';
