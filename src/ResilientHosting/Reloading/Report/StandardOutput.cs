namespace ResilientHosting.Reloading;

/// <summary>
/// Tells whether this process was given a standard output at all. A process that was started without one opens something else in its
/// place sooner or later, a socket or a source file, and a line meant for the console would end up there.
/// </summary>
internal static class StandardOutput
{
    // As /proc shows them: in octal, with the access mode in the lowest two bits.
    private const int AccessMode = 3;
    private const int CloseOnExec = 0x80000;

    public static bool IsGiven => !OperatingSystem.IsLinux() || IsGivenAs("/proc/self/fdinfo", "1");

    internal static bool IsGivenAs(string descriptors, string descriptor)
    {
        try
        {
            // What was given was inherited. What the runtime opens is never inherited by anybody.
            var flags = File.ReadLines(Path.Combine(descriptors, descriptor)).First(line => line.StartsWith("flags:", StringComparison.Ordinal));
            var value = Convert.ToInt32(flags["flags:".Length..].Trim(), fromBase: 8);
            return (value & CloseOnExec) == 0 && (value & AccessMode) != 0;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (DirectoryNotFoundException)
        {
            // No /proc, so nothing is known.
            return true;
        }
    }
}
