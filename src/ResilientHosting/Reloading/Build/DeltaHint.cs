using System.Reflection.Metadata;

namespace ResilientHosting.Reloading;

/// <summary>Tells once, when it would have been worth it, how to have edits compiled as deltas.</summary>
internal sealed class DeltaHint(ReloadConsole console)
{
    private static readonly TimeSpan WorthAHint = TimeSpan.FromMilliseconds(300);

    private bool _given;

    public void Consider(TimeSpan compilation)
    {
        if (!_given && !MetadataUpdater.IsSupported && compilation > WorthAHint)
        {
            _given = true;
            console.Say(
                $"compiling took {compilation.TotalMilliseconds:0} ms; edits inside methods take a fraction of that with "
                + "\"environmentVariables\": { \"DOTNET_MODIFIABLE_ASSEMBLIES\": \"debug\" } in the profile of Properties/launchSettings.json");
        }
    }
}
