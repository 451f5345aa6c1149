using Microsoft.Extensions.Configuration;

namespace ResilientHosting.Tests.Resources;

/// <summary>A source of configuration that changes when a test says so, as a file does.</summary>
internal sealed class ChangingConfiguration : ConfigurationProvider, IConfigurationSource
{
    public string? this[string key]
    {
        set => Data[key] = value;
    }

    public void Remove(string key) => Data.Remove(key);

    public void Reload() => OnReload();

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;
}
