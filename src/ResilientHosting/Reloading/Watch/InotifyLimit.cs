namespace ResilientHosting.Reloading;

/// <summary>The limits that Linux sets to the watching of files.</summary>
internal static class InotifyLimit
{
    private const int NoSpace = 28;
    private const int TooManyFiles = 24;

    /// <summary>Says which limit has kept a folder from being watched, and how to raise it.</summary>
    /// <returns>Null if it was something else.</returns>
    public static string? Describe(Exception exception) => !OperatingSystem.IsLinux() ? null : exception.HResult switch
    {
        NoSpace => Describe("watches", wanted: 524_288),
        TooManyFiles => Describe("instances", wanted: 1_024),
        _ => null,
    };

    private static string Describe(string what, int wanted)
    {
        // In a user namespace, as a container may be, both hold: the lower one counts.
        var own = Read("user.max_inotify_" + what);
        var machine = Read("fs.inotify.max_user_" + what);
        var (name, value) = own.Value < machine.Value ? own : machine;
        return FormattableString.Invariant(
            $"the limit of inotify {what} is reached ({name} = {value}); raise it with: sysctl {name}={Math.Max(wanted, value == int.MaxValue ? 0 : value * 2)}");
    }

    private static (string Name, long Value) Read(string name)
    {
        try
        {
            return (name, long.TryParse(File.ReadAllText("/proc/sys/" + name.Replace('.', '/')), out var value) ? value : int.MaxValue);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not every kernel counts by user namespace.
            return (name, int.MaxValue);
        }
    }
}
