using System.Collections;
using System.Globalization;

namespace ResilientHosting.Reloading;

/// <summary>
/// What a program may change for its whole process, as it was when the process began. A generation that starts finds it so, and not as
/// the generation before has left it.
/// </summary>
internal sealed class ProcessState
{
    private readonly string _directory = Directory.GetCurrentDirectory();
    private readonly Dictionary<string, string?> _variables = Variables();
    private readonly CultureInfo? _culture = CultureInfo.DefaultThreadCurrentCulture;
    private readonly CultureInfo? _uiCulture = CultureInfo.DefaultThreadCurrentUICulture;

    /// <summary>Brings it back.</summary>
    /// <exception cref="IOException">The directory that the process began in is gone; all else is restored.</exception>
    public void Restore()
    {
        Environment.ExitCode = 0;
        CultureInfo.DefaultThreadCurrentCulture = _culture;
        CultureInfo.DefaultThreadCurrentUICulture = _uiCulture;
        foreach (var name in Variables().Keys.Where(name => !_variables.ContainsKey(name)))
        {
            Environment.SetEnvironmentVariable(name, null);
        }

        foreach (var (name, value) in _variables)
        {
            Environment.SetEnvironmentVariable(name, value);
        }

        Directory.SetCurrentDirectory(_directory);
    }

    private static Dictionary<string, string?> Variables() => Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>()
        .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value);
}
