using Microsoft.Extensions.Configuration;

namespace ResilientHosting.Reloading;

/// <summary>What the configuration of the application that runs does about its files.</summary>
internal static class RunningConfiguration
{
    /// <summary>Whether a file belongs to the configuration and is read again whenever it changes.</summary>
    public static bool ReadsAgain(IConfiguration? configuration, string path) =>
        configuration is IConfigurationRoot root && root.Providers.Any(provider => provider switch
        {
            FileConfigurationProvider file => file.Source is { ReloadOnChange: true, Path: { } name }
                && file.Source.FileProvider?.GetFileInfo(name).PhysicalPath is { } physical
                && Path.GetFullPath(physical) == path,
            ChainedConfigurationProvider chained => ReadsAgain(chained.Configuration, path),
            _ => false,
        });
}
