namespace ResilientHosting.Tests.Infrastructure;

/// <summary>
/// A terminal for a program to run in: a small program between it and the test, told by signals what happens to the terminal.
/// </summary>
public static class TestTerminal
{
    /// <summary>Presses Ctrl+C.</summary>
    public const string CtrlC = "USR2";

    /// <summary>Closes the terminal's window, or loses the connection that it was reached by.</summary>
    public const string HangUp = "USR1";

    private const string Program = """
        import os, pty, signal, sys

        child, terminal = pty.fork()
        if child == 0:
            os.execvp(sys.argv[1], sys.argv[1:])

        signal.signal(signal.SIGUSR1, lambda *_: os.close(terminal))
        signal.signal(signal.SIGUSR2, lambda *_: os.write(terminal, b"\x03"))
        try:
            while output := os.read(terminal, 4096):
                os.write(1, output)
        except OSError:
            pass  # Hung up, or nobody is left who has it open.

        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.exit(code if code >= 0 else 128 - code)
        """;

    /// <summary>The command line that runs a program in a terminal and ends with its exit code.</summary>
    public static string[] CommandLine(params string[] program)
    {
        var python = OperatingSystem.IsWindows() ? null : ServerProgram.Find("python3");
        Assert.SkipWhen(python is null, "Needs a terminal of Unix, and Python to open it with.");
        return [python!, "-c", Program, .. program];
    }
}
