using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class DevReloaderOptionsValidatorTests
{
    private readonly DevReloaderOptionsValidator _validator = new();

    [Fact]
    public void Validate_Defaults_Succeeds() => Assert.True(_validator.Validate(null, new DevReloaderOptions()).Succeeded);

    [Fact]
    public void Validate_Limits_Succeeds() => Assert.True(_validator.Validate(null, new DevReloaderOptions
    {
        PollingInterval = TimeSpan.FromMilliseconds(50),
        QuietPeriod = TimeSpan.FromSeconds(10),
        DrainTimeout = TimeSpan.Zero,
        HoldTimeout = TimeSpan.FromMinutes(10),
        MaxHeldRequests = 1,
        StartTimeout = TimeSpan.FromSeconds(1),
        TriggerFile = "../reload",
        Editor = "emacs://open?url=file://{file}&line={line}",
    }).Succeeded);

    [Fact]
    public void Validate_EverythingOutOfRange_ListsEveryOptionWithItsRangeAndValue()
    {
        var result = _validator.Validate(null, new DevReloaderOptions
        {
            Watch = (WatchMode)7,
            PollingInterval = TimeSpan.FromMilliseconds(49),
            QuietPeriod = TimeSpan.FromSeconds(11),
            DrainTimeout = TimeSpan.FromSeconds(-1),
            HoldTimeout = TimeSpan.Zero,
            StartTimeout = TimeSpan.FromMinutes(11),
            MaxHeldRequests = 0,
            TriggerFile = "reload/",
            Editor = "javascript:{file}",
        });

        Assert.Equal(
            [
                "Property DevReloaderOptions.Watch: must be Auto, Events or Polling, but is 7.",
                "Property DevReloaderOptions.PollingInterval: must be from 00:00:00.0500000 to 00:01:00, but is 00:00:00.0490000.",
                "Property DevReloaderOptions.QuietPeriod: must be from 00:00:00 to 00:00:10, but is 00:00:11.",
                "Property DevReloaderOptions.DrainTimeout: must be from 00:00:00 to 00:01:00, but is -00:00:01.",
                "Property DevReloaderOptions.HoldTimeout: must be from 00:00:01 to 00:10:00, but is 00:00:00.",
                "Property DevReloaderOptions.StartTimeout: must be from 00:00:01 to 00:10:00, but is 00:11:00.",
                "Property DevReloaderOptions.MaxHeldRequests: must be at least 1, but is 0.",
                "Property DevReloaderOptions.TriggerFile: must be the path of a file, but is \"reload/\".",
                "Property DevReloaderOptions.Editor: must be vscode, vscode-insiders, vscodium, cursor, windsurf, zed, rider or a URI with {file}, and perhaps {line} and {column}, that no browser runs as a script, but is \"javascript:{file}\".",
            ],
            result.Failures);
    }
}
