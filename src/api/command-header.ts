/** What a caller may say of itself, such as `sluice apply`: it is shown in the history, and trusted with nothing else. */
export const COMMAND_HEADER = "sluice-command";
